"""Lists of names in the formats of the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensiview.datasets.atlas_names import best_reading, names_image, read_names
from sensiview.errors import DataError

AAL = {1: "Precentral_L", 2: "Precentral_R", 3: "Frontal Sup"}


def names(path: Path, text: str | bytes, labels: list[int]) -> dict[int, str]:
    """Return what a file with this text says of these labels."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = best_reading(read_names(path), labels).names
    return {label: found[label] for label in labels if label in found}


@pytest.mark.parametrize(
    "text",
    [
        "1 Precentral_L\n2 Precentral_R\n3 Frontal Sup\n",
        "1: Precentral_L\r\n2: Precentral_R\r\n3: Frontal Sup",
        "1\tPrecentral_L\n2\tPrecentral_R\n3\tFrontal Sup\n",
        "1, Precentral_L\n2, Precentral_R\n3, Frontal Sup\n",
        "# a comment\n\n1. Precentral_L\n2. Precentral_R\n3. Frontal Sup\n",
        '1 "Precentral_L"\n2 "Precentral_R"\n3 "Frontal Sup"\n',
        "1=Precentral_L\n2=Precentral_R\n3=Frontal Sup\n",
        "Precentral_L 1\nPrecentral_R 2\nFrontal Sup 3\n",
        "Precentral_L\nPrecentral_R\nFrontal Sup\n",
        "Background\nPrecentral_L\nPrecentral_R\nFrontal Sup\n",
        "0 Unknown 0 0 0 0\n1 Precentral_L 25 5 25 0\n2 Precentral_R 1 2 3 0\n3 Frontal Sup 70 130 180 0\n",
        "index,name\n1,Precentral_L\n2,Precentral_R\n3,Frontal Sup\n",
        "roi_value\troi_name\n0\tBackground\n1\tPrecentral_L\n2\tPrecentral_R\n3\tFrontal Sup\n",
        "Index,Code,Name\n1,MUSE_1,Precentral_L\n2,MUSE_2,Precentral_R\n3,MUSE_3,Frontal Sup\n",
        'ROIid;ROIabbr;ROIname\n1;PrL;"Precentral_L"\n2;PrR;"Precentral_R"\n3;F;"Frontal Sup"\n',
        "id,label,hemisphere\n1,Precentral,L\n2,Precentral,R\n3,Frontal Sup,B\n",
        "Label,Name,x,y,volume\n1,Precentral_L,2,3,1.5\n2,Precentral_R,1,2,2.5\n3,Frontal Sup,3,1,3.25\n",
        "1,PrL,Precentral_L\n2,PrR,Precentral_R\n3,F,Frontal Sup\n",
        "Name,Value\nPrecentral_L,1.0\nPrecentral_R,2.0\nFrontal Sup,3.0\n",
    ],
)
def test_that_many_ways_of_writing_a_list_say_the_same(tmp_path: Path, text: str) -> None:
    found = names(tmp_path / "names.txt", text, [1, 2, 3])
    assert [name.replace("Precentral ", "Precentral_") for name in found.values()] == list(AAL.values())
    assert list(found) == [1, 2, 3]


def test_that_the_volume_decides_which_of_two_numbers_is_the_value(tmp_path: Path) -> None:
    text = "1 Precentral_L 2001\r\n2 Precentral_R 2002\r\n3 Frontal_Sup_L 2101\r\n"
    assert names(tmp_path / "aal.txt", text, [1, 2, 3])[3] == "Frontal_Sup_L"
    assert names(tmp_path / "aal.txt", text, [2001, 2002, 2101])[2101] == "Frontal_Sup_L"
    tabs = text.replace(" ", "\t")
    assert names(tmp_path / "aal.txt", tabs, [1, 2, 3])[3] == "Frontal_Sup_L"
    assert names(tmp_path / "aal.txt", tabs, [2001, 2002, 2101])[2101] == "Frontal_Sup_L"


def test_that_label_descriptions_of_itk_snap_are_read(tmp_path: Path) -> None:
    text = (
        "################\n# ITK-SnAP Label Description File\n################\n"
        '    0     0    0    0        0  0  0    "Clear Label"\n'
        '    1   255    0    0        1  1  1    "Left hippocampus"\n'
        '   12     0  255    0      0.5  1  0    "Tail (R)"\n'
    )
    assert names(tmp_path / "itk.label", text, [1, 12]) == {1: "Left hippocampus", 12: "Tail (R)"}


def test_that_the_colour_table_of_freesurfer_is_read(tmp_path: Path) -> None:
    text = (
        "#$Id: FreeSurferColorLUT.txt\n\n#No. Label Name:                R   G   B   A\n"
        "0   Unknown                                 0   0   0   0\n"
        "17  Left-Hippocampus                        220 216 20  0\n\n"
        "1006    ctx-lh-entorhinal                   220 20  10  0\n"
    )
    assert names(tmp_path / "lut.txt", text, [17, 1006]) == {17: "Left-Hippocampus", 1006: "ctx-lh-entorhinal"}


def test_that_a_look_up_table_of_fsleyes_is_read(tmp_path: Path) -> None:
    text = "1 0.0 0.93 0.5 Frontal Pole\n2 1 .5 0.25 Insula\n"
    assert names(tmp_path / "a.lut", text, [1, 2]) == {1: "Frontal Pole", 2: "Insula"}


def test_that_a_list_that_names_some_labels_only_is_still_read_by_its_columns(tmp_path: Path) -> None:
    text = '"index","name","colour"\n"1","A, left","9"\n"2","B ""x""","9"\n"4","n/a","9"\n'
    assert names(tmp_path / "a.csv", text, [1, 2, 3, 4, 5, 9]) == {1: "A, left", 2: 'B "x"'}


def test_that_numbers_that_belong_to_names_stay_with_them(tmp_path: Path) -> None:
    text = "1 Region 1\n2 Region 2\n3 Area 1\n"
    assert names(tmp_path / "a.txt", text, [1, 2, 3]) == {1: "Region 1", 2: "Region 2", 3: "Area 1"}


FSL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<atlas version="1.0"><header><name>Toy</name><type>{kind}</type>
<images><imagefile>/Toy/Toy-prob-2mm</imagefile><summaryimagefile>/Toy/Toy-maxprob-thr25-2mm</summaryimagefile></images>
</header><data>
<label index="0" x="48" y="94" z="35">Frontal Pole</label>
<label index="1" x="25" y="70" z="32">Insular Cortex</label>
<label index="2" x="33" y="73" z="63">Superior &amp; Frontal Gyrus</label>
</data></atlas>"""


def test_that_indices_of_a_probabilistic_fsl_atlas_are_one_below_its_voxels(tmp_path: Path) -> None:
    text = FSL.format(kind="Probabilistic")
    assert names(tmp_path / "a.xml", text, [1, 2, 3]) == {
        1: "Frontal Pole",
        2: "Insular Cortex",
        3: "Superior & Frontal Gyrus",
    }
    assert names_image(tmp_path / "a.xml") == ("Toy-maxprob-thr25-2mm", "Toy-prob-2mm")


def test_that_indices_of_an_fsl_label_atlas_are_its_voxels(tmp_path: Path) -> None:
    found = names(tmp_path / "a.xml", FSL.format(kind="Label"), [1, 2])
    assert found == {1: "Insular Cortex", 2: "Superior & Frontal Gyrus"}
    # A file that says one thing while its volume says another: the voxels decide.
    assert names(tmp_path / "a.xml", FSL.format(kind="Label"), [1, 2, 3])[3] == "Superior & Frontal Gyrus"


def test_that_the_value_attribute_of_fsl_wins_and_coordinates_are_not_values(tmp_path: Path) -> None:
    labels = '<label index="0" value="7" x="1">A</label><label index="1" value="9" x="2">B</label>'
    text = f"<atlas><data>{labels}</data></atlas>"
    assert names(tmp_path / "a.xml", text, [7, 9]) == {7: "A", 9: "B"}


def test_that_spm_and_cat12_xml_is_read(tmp_path: Path) -> None:
    text = (
        "<?xml version='1.0'?>\n<!-- AAL --><atlas><header><name>AAL</name></header><data>"
        "<label><index>2001</index><name>Precentral_L</name></label>"
        "<label><index> 2002 </index><name>Precentral_R</name></label></data></atlas>"
    )
    assert names(tmp_path / "a.xml", text, [2001, 2002]) == {2001: "Precentral_L", 2002: "Precentral_R"}


@pytest.mark.parametrize(
    "content",
    [
        {"1": "A", "2": "B"},
        {"A": 1, "B": 2},
        {"labels": {"1": "A", "2": "B"}},
        [{"index": 1, "name": "A"}, {"index": 2, "name": "B"}],
        {"regions": [{"Value": "1", "Name": "A"}, {"Value": "2", "Name": "B"}]},
        ["Background", "A", "B"],
        ["A", "B"],
        {"1": {"name": "A", "colour": [1, 2, 3]}, "2": {"name": "B"}},
    ],
)
def test_that_json_of_several_shapes_is_read(tmp_path: Path, content: object) -> None:
    assert names(tmp_path / "a.json", json.dumps(content), [1, 2]) == {1: "A", 2: "B"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_that_the_encoding_does_not_matter(tmp_path: Path, encoding: str) -> None:
    text = "index;name\n1;Gyrus frontalis supérieur\n2;Kleinhirnschenkel, größer\n3;Vermis\n"
    found = names(tmp_path / "names.csv", text.encode(encoding), [1, 2, 3])
    assert found == {1: "Gyrus frontalis supérieur", 2: "Kleinhirnschenkel, größer", 3: "Vermis"}


def test_that_a_value_named_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("1 A\n2 B\n2 C\n3 D\n3 D\n")
    [reading] = read_names(tmp_path / "names.txt")
    assert reading.repeated == (2,)
    assert reading.names[2] == "B"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "no names of labels"),
        ("a.txt", b"\n\n# only a comment\n", "no names of labels"),
        ("a.csv", b"a,b\n1,2\n3,4\n", None),
        ("a.txt", b"\x1f\x8b\x08\x00" + bytes(range(1, 256)) * 8, "not a text file"),
        ("a.xml", b"<atlas><data>", "not valid XML"),
        ("a.xml", b"<atlas></atlas>", "no names of labels"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><atlas/>', "XML entities"),
        ("a.json", b'{"1": ', "not valid JSON"),
        ("a.json", b'{"RepetitionTime": 2.5, "Manufacturer": "X", "Flip": 8}', "no names of labels"),
    ],
)
def test_that_other_files_are_refused_in_words(tmp_path: Path, name: str, content: bytes, words: str | None) -> None:
    (tmp_path / name).write_bytes(content)
    if words is None:
        assert best_reading(read_names(tmp_path / name), [1, 3]).names == {1: "2", 3: "4"}
        return
    with pytest.raises(DataError, match=words):
        read_names(tmp_path / name)


def test_that_a_missing_or_far_too_large_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The names in '.*' can't be read: No such file"):
        read_names(tmp_path / "none.txt")
    with (tmp_path / "big.txt").open("wb") as stream:
        stream.truncate(30 << 20)
    with pytest.raises(DataError, match="too large for a list of names"):
        read_names(tmp_path / "big.txt")

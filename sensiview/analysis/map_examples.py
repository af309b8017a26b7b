"""Small studies of volumes and of images that the analyses of maps show themselves on."""

from __future__ import annotations

from sensiview.analysis.study import Study


def volume_study() -> Study:
    """Return four volumes of 12 voxels a side, and a network that looks for a bright box."""
    from sensiview.numerics.example_volumes import example_network, example_volumes

    volumes = example_volumes()
    return Study(
        dataset=volumes.card,
        model=example_network(volumes).card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=lambda: example_network(volumes),
    )


def image_study() -> Study:
    """Return four colour images of 16 pixels a side, and a network that looks for a bright, red square."""
    from sensiview.numerics.example_images import example_images, example_network

    images = example_images()
    return Study(
        dataset=images.card,
        model=example_network().card,
        device="cpu",
        images_loader=lambda: images,
        network_loader=example_network,
    )

"""What macOS asks of the app bundle. Written with care, not yet tried."""

from __future__ import annotations

from typing import Any

IDENTIFIER = "org.sensiview.SensiView"
_PROJECT = f"{IDENTIFIER}.project"


def info(version: str) -> dict[str, Any]:
    """The bundle's Info.plist: projects are folders that the Finder shows, and opens, as one document."""
    return {
        "CFBundleDisplayName": "SensiView",
        "CFBundleShortVersionString": version.split("+")[0],
        "CFBundleVersion": version.split("+")[0],
        "LSMinimumSystemVersion": "13.0",
        "LSApplicationCategoryType": "public.app-category.medical",
        "NSHighResolutionCapable": True,
        "NSPrincipalClass": "NSApplication",
        "NSHumanReadableCopyright": "BSD-3-Clause",
        "UTExportedTypeDeclarations": [
            {
                "UTTypeIdentifier": _PROJECT,
                "UTTypeDescription": "SensiView project",
                "UTTypeConformsTo": ["com.apple.package"],
                "UTTypeTagSpecification": {"public.filename-extension": ["sensiview"]},
            }
        ],
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "SensiView project",
                "CFBundleTypeRole": "Editor",
                "LSHandlerRank": "Owner",
                "LSItemContentTypes": [_PROJECT],
                "LSTypeIsPackage": True,
            }
        ],
    }

"""Names and groups of capability ids (docs/spec/events.md section 3.4.1, docs/spec/producers.md section 3)."""

from __future__ import annotations

from typing import Final, NamedTuple

CATALOG_VERSION: Final = "v1"


class CatalogEntry(NamedTuple):
    id: int
    name: str
    group: str


_GROUPS: Final = {
    "transcoding": {
        0: "H.264",
        1: "MPEGTS",
        2: "MP4",
        3: "Fractional framerates",
        7: "H264 Baseline profile",
        8: "H264 Main profile",
        9: "H264 High profile",
        10: "H264 Constrained, Contained High profile",
        11: "GOP",
        14: "MPEG7 signature",
        15: "HEVC decode",
        16: "HEVC encode",
        17: "VP8 decode",
        18: "VP9 decode",
        19: "VP8 encode",
        20: "VP9 encode",
        21: "H264 Decode YUV444 8-bit",
        22: "H264 Decode YUV422 8-bit",
        23: "H264 Decode YUV444 10-bit",
        24: "H264 Decode YUV422 10-bit",
        25: "H264 Decode YUV420 10-bit",
        26: "Segment slicing",
    },
    "storage": {4: "Storage direct", 5: "Storage S3", 6: "Storage GCS"},
    "auth": {12: "Auth token"},
    "deprecated": {13: "Scene classification"},
    "inference": {
        27: "Text to image",
        28: "Image to image",
        29: "Image to video",
        30: "Upscale",
        31: "Audio to text",
        32: "Segment anything 2",
        33: "Llm",
        34: "Image to text",
        36: "Text to speech",
    },
    "live-video": {35: "Live video to video"},
    "byoc": {37: "byoc"},
}

CATALOG: Final = {
    number: CatalogEntry(number, name, group) for group, names in _GROUPS.items() for number, name in names.items()
}


BYOC: Final = 37
"""Of jobs that an orchestrator hands to a worker."""


def pipeline_of(number: int) -> str:
    """The pipeline that serves models of a capability; empty if the capability has no models of its own."""
    found = CATALOG.get(number)
    if found is None or found.group not in ("inference", "live-video"):
        return ""
    return found.name.lower().replace(" ", "-")


def capability(number: int | None) -> CatalogEntry:
    """The capability of that id; ``unknown`` with the same id, or -1 for none, where it is not listed."""
    if number is None:
        return CatalogEntry(-1, "unknown", "unknown")
    return CATALOG.get(number) or CatalogEntry(number, "unknown", "unknown")

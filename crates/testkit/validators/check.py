"""Reads every manifest of a folder with Python's parsers: the order as JSON on standard input, what each parser found and what it
complained about as JSON on standard output."""

import json
import sys
from pathlib import Path

import m3u8
from m3u8 import parser as strict
from mpegdash.parser import MPEGDASHParser


def by_m3u8(text):
    strict.parse(text, strict=True)
    playlist = m3u8.loads(text)
    if playlist.is_variant:
        groups = lambda kind: [media.group_id for media in playlist.media if media.type == kind]
        largest = lambda ids: max((ids.count(group) for group in ids), default=0)
        return {
            "variants": len(playlist.playlists),
            "keyframe_variants": len(playlist.iframe_playlists),
            "audio": largest(groups("AUDIO")),
            "subtitles": largest(groups("SUBTITLES")),
        }
    return {
        "segments": len(playlist.segments),
        "seconds": sum(segment.duration for segment in playlist.segments),
        "ended": bool(playlist.is_endlist),
        "key": key_of(playlist.segments),
    }


def key_of(segments):
    """What all segments are encrypted with, each by the same key; None where none is."""
    keys = {f"{segment.key.method} {segment.key.uri}" if segment.key else None for segment in segments}
    return keys.pop() if len(keys) == 1 else "several"


def by_mpegdash(text):
    presentation = MPEGDASHParser.parse(text)
    sets = presentation.periods[0].adaptation_sets
    of = lambda kind: [one for one in sets if one.content_type == kind]
    timeline = of("video")[0].segment_templates[0].segment_timelines[0]
    return {
        "variants": len(of("video")[0].representations),
        "audio": len(of("audio")),
        "subtitles": len(of("text")),
        "segments": sum(1 + (entry.r or 0) for entry in timeline.Ss),
        "seconds": float(presentation.media_presentation_duration.removeprefix("PT").removesuffix("S")),
    }


def tried(parser, read, file, text):
    try:
        return {"parser": parser, "file": file, "facts": read(text), "complaints": []}
    except Exception as error:  # whatever a parser raises is what it has to say
        return {"parser": parser, "file": file, "facts": {}, "complaints": [repr(error)]}


order = json.load(sys.stdin)
found = []
for file in order["files"]:
    text = (Path(order["folder"]) / file).read_text()
    if file.endswith(".mpd"):
        found.append(tried("mpegdash", by_mpegdash, file, text))
    else:
        found.append(tried("m3u8", by_m3u8, file, text))
print(json.dumps(found))

"""Opening packed files: gzip, and zip with one file inside.

Belongs here: unpacking within the limits of a format, whatever the file is named. Does not belong
here: workbooks, which are zip files of their own kind (`read_workbook.py`), what is inside.
"""

import io
import zipfile
import zlib

from dagster_project.ingest.document import FileReadError
from dagster_project.ingest.feed_spec import Format

_GZIP, _ZIP = b"\x1f\x8b", b"PK\3\4"
_PIECE = 1 << 16


def is_packed(content: bytes) -> bool:
    """Whether a content is a gzip or a zip file, which a workbook is too."""
    return content.startswith((_GZIP, _ZIP))


def unpack(content: bytes, format_: Format) -> bytes:
    """The content of a packed file; any other as it is.

    Raises:
        FileReadError: it is damaged, too large, or has several files inside.
    """
    if content.startswith(_GZIP):
        return _gunzip(content, format_)
    if content.startswith(_ZIP) and format_.type != "xlsx":
        return _unzip(content, format_)
    return content


def _gunzip(content: bytes, format_: Format) -> bytes:
    """All members of a gzip file, one after the other; what follows them as zeros is padding."""
    unpacked = bytearray()
    rest = content
    while rest.strip(b"\0"):
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            while rest and not member.eof:
                unpacked += member.decompress(rest, _PIECE)
                rest = member.unconsumed_tail or member.unused_data
                _check_size(len(unpacked), format_)
        except zlib.error as error:
            raise FileReadError(f"is not a readable gzip file ({error}); fetch it again") from error
        if not member.eof:
            raise FileReadError("is a gzip file that is cut off; fetch it again")
    return bytes(unpacked)


def _unzip(content: bytes, format_: Format) -> bytes:
    unpacked = bytearray()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [
                name
                for name in archive.namelist()
                if not name.endswith("/") and not name.startswith("__MACOSX/")
            ]
            if len(names) != 1:
                shown = ", ".join(names[:5]) or "nothing"
                raise FileReadError(
                    f"is a zip file with {len(names)} files inside ({shown}); one is expected: "
                    "unpack it, and deliver the files"
                )
            with archive.open(names[0]) as packed:
                for piece in iter(lambda: packed.read(_PIECE), b""):
                    unpacked += piece
                    _check_size(len(unpacked), format_)
    except FileReadError:
        raise
    except Exception as error:  # zipfile raises errors of any type for a damaged file
        raise FileReadError(f"is not a readable zip file ({error}); fetch it again") from error
    return bytes(unpacked)


def _check_size(size: int, format_: Format) -> None:
    if size > format_.max_megabytes * 1_000_000:
        raise FileReadError(
            f"has more than {format_.max_megabytes} MB when unpacked (format.max_megabytes in the "
            "feed's spec); fetch it again, or split it"
        )

"""Descriptions of a TIFF that tie planes to pixels: false of a picture in colour."""

import io
import json

import numpy as np
import pytest
import tifffile

from colorize.photo.opening import Photo
from colorize.photo.saving import losses
from tests.support.saved import save

GREY = (np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)) * 80
OME = "its description in OME-XML, which tells of planes"


def written(samples=GREY, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **options)
    return buffer.getvalue()


def described(text, **options):
    return written(description=text.encode(), metadata=None, **options)


def result(data, path):
    """The result as a TIFF, and the sentences on what was left out."""
    photo = Photo.open(data)
    save(photo, path, np.dstack([photo.pixels] * 3))
    return path.read_bytes(), losses(photo)


HEADS = [
    "",
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<?xml version='1.0'?>\n<!-- Bio-Formats -->\n",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("root", ["OME", "ome:OME"])
def test_ome_xml_is_left_out_and_named(head, root, tmp_path):
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    prefix = f"xmlns:ome='{space}'" if ":" in root else f"xmlns='{space}'"
    data = described(f"{head}<{root} {prefix}><Image/></{root}>")
    out, notices = result(data, tmp_path / "new.tif")
    assert notices == [f"What has no place in the result was left out: {OME}."]
    assert b"openmicroscopy" not in out


def test_a_result_of_ome_tiff_is_read_as_it_is(tmp_path):
    data = written(ome=True, metadata={"axes": "YX"})
    assert tifffile.TiffFile(io.BytesIO(data)).is_ome
    out, notices = result(data, tmp_path / "new.tif")
    assert any(OME in notice for notice in notices)
    with tifffile.TiffFile(io.BytesIO(out)) as file:
        assert not file.is_ome and file.series[0].shape == (24, 32, 3)


def test_what_leica_tells_of_planes_is_left_out_and_named(tmp_path):
    space = "http://www.leica-microsystems.com/scn/2010/10/01"
    out, notices = result(described(f"<scn xmlns='{space}'></scn>"), tmp_path / "new.tif")
    assert "SCN" in notices[0] and b"leica" not in out


def test_other_descriptions_stay(tmp_path):
    for text in ("Hochzeit <OME>", "<OMEGA watch>", "{Hochzeit}", '{"shape": "round"}'):
        out, notices = result(described(text), tmp_path / "new.tif")
        assert text.encode() in out and notices == []


@pytest.mark.parametrize("axes", ["YX", "QYX"])
def test_shape_and_axes_of_tifffile_do_not_stay(axes, tmp_path):
    samples = GREY if axes == "YX" else GREY[None]
    out, notices = result(written(samples, metadata={"axes": axes}), tmp_path / "new.tif")
    assert b'"axes"' not in out and b'"shape"' not in out and notices == []
    with tifffile.TiffFile(io.BytesIO(out)) as file:
        assert file.series[0].shape == (24, 32, 3)


def test_what_else_stands_beside_the_shape_stays(tmp_path):
    data = written(metadata={"axes": "YX", "author": "Anna"})
    out, _ = result(data, tmp_path / "new.tif")
    with tifffile.TiffFile(io.BytesIO(out)) as file:
        assert json.loads(file.pages[0].description) == {"author": "Anna"}
        assert file.series[0].shape == (24, 32, 3)


@pytest.mark.parametrize("bigtiff", [False, True])
def test_of_two_descriptions_the_first_stays(bigtiff, tmp_path):
    """tifffile writes the shape into a second field."""
    out, notices = result(written(description="Hochzeit", bigtiff=bigtiff), tmp_path / "new.tif")
    with tifffile.TiffFile(io.BytesIO(out)) as file:
        assert file.pages[0].description == "Hochzeit"
    assert b'"shape"' not in out and notices == []

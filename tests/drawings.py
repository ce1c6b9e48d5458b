"""Drawings that stand for photos: what the scenery's listings show, as JPEG bytes."""

import io
from typing import Any

from PIL import Image, ImageDraw

TRAILER = "Remorque à vélo bâchée"
BARROW = "Diable pliant"
SEWING = "Surjeteuse quatre fils"
TENT = "Tente de réception 3 × 6 m"


def drawing(title: str) -> bytes:
    """Return a drawing that stands for a photo of a thing, as a JPEG."""
    image = Image.new("RGB", (1200, 900), "#cfd6d3")
    pen = ImageDraw.Draw(image)
    for shape, points in DRAWINGS.get(title, DRAWINGS[TRAILER]):
        if shape == "line":
            pen.line(points, fill=INK, width=16, joint="curve")
        elif shape == "wheel":
            pen.ellipse(points, fill="#cfd6d3", outline=INK, width=16)
        else:
            pen.polygon(points, fill=shape, outline=INK, width=12)
    pen.line((100, 746, 1100, 746), fill=INK, width=8)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


INK = "#182126"
DRAWINGS: dict[str, list[tuple[str, Any]]] = {
    TRAILER: [
        ("#2f8f94", (250, 330, 800, 330, 800, 560, 250, 560)),
        *(("line", (x, 330, x, 560)) for x in (390, 530, 670)),
        ("line", (800, 540, 960, 540, 1060, 380)),
        ("wheel", (400, 480, 660, 740)),
        ("wheel", (515, 595, 545, 625)),
    ],
    TENT: [
        ("#e6b422", (600, 180, 1010, 420, 190, 420)),
        ("#fafbfa", (230, 420, 970, 420, 970, 740, 230, 740)),
        ("#3a4c55", (600, 430, 720, 740, 480, 740)),
    ],
    SEWING: [
        ("#943a26", (260, 250, 900, 250, 900, 380, 480, 380, 480, 650, 260, 650)),
        ("#3a4c55", (200, 650, 1000, 650, 1000, 740, 200, 740)),
        ("line", (840, 380, 840, 600)),
        ("wheel", (880, 270, 970, 360)),
    ],
    BARROW: [
        ("line", (480, 150, 480, 660, 760, 660)),
        ("line", (420, 150, 480, 150)),
        ("#e6b422", (500, 330, 760, 330, 760, 640, 500, 640)),
        ("wheel", (400, 600, 540, 740)),
    ],
}

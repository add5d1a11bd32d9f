// Colours that things often have, by name. Of each the hue counts: the photo keeps its lightness.

/** [name, [[colour, what it is called], ...]] */
export const PALETTES = [
  ["Skin", [["#f3d3c1", "very light skin"], ["#e6b89c", "light skin"], ["#d39c7a", "olive skin"],
    ["#b67d58", "tan skin"], ["#8f5d3f", "brown skin"], ["#5d3a29", "dark skin"]]],
  ["Hair", [["#d9c08a", "blond hair"], ["#a5713f", "light brown hair"], ["#6b452b", "brown hair"],
    ["#94462a", "red hair"], ["#2b2523", "black hair"], ["#a9a6a2", "grey hair"]]],
  ["Denim", [["#8aa4c4", "washed denim"], ["#4f6f9b", "denim"], ["#2f4568", "dark denim"]]],
  ["Khaki", [["#c9b88c", "light khaki"], ["#a3926a", "khaki"], ["#6e6a48", "olive drab"]]],
  ["Navy", [["#41567e", "light navy"], ["#28375c", "navy"], ["#1c2540", "dark navy"]]],
  ["Brick", [["#c47d5f", "light brick"], ["#a1523c", "brick"], ["#7a3a2d", "dark brick"]]],
  ["Wood", [["#d0a878", "light wood"], ["#a0703f", "wood"], ["#6a4526", "dark wood"]]],
  ["Grass", [["#a5b45f", "dry grass"], ["#6f9440", "grass"], ["#3f6a2c", "dark grass"]]],
  ["Sky", [["#c3d9ec", "pale sky"], ["#86b4e0", "sky"], ["#e8b48c", "evening sky"]]],
  ["Sea", [["#8fc0c4", "shallow sea"], ["#3f7f93", "sea"], ["#24506e", "deep sea"]]],
];

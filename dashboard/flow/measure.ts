// The width of texts in the fonts of the page.

import type { Measure } from "./cards.ts";

let context: CanvasRenderingContext2D | null | undefined;

export const measureText: Measure = (text, font) => {
  context ??= document.createElement("canvas").getContext("2d");
  if (context === null) return text.length * (font === "title" ? 8 : 7);
  const style = getComputedStyle(document.documentElement);
  context.font = font === "title" ? `600 14px ${style.getPropertyValue("--sans")}` : `12px ${style.getPropertyValue("--mono")}`;
  return context.measureText(text).width;
};

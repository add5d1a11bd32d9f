// A safe part of Markdown: headings, paragraphs, lists, quotes, rules, **strong**, *emphasis*,
// `code`, a picture's words, [links](https://...), hard breaks. It builds nodes, so HTML in a text stays text.

import { element } from "./dom.js";

const SAFE_LINKS = new Set(["http:", "https:", "mailto:"]);

const INLINE = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@[-\x60{-~])`,
    String.raw`\x60(?<code>[^\x60]+)\x60`,
    String.raw`\*\*(?<strong>\S(?:[^]*?\S)?)\*\*`,
    String.raw`\*(?<star>[^\s*](?:[^*]*[^\s*])?)\*`,
    String.raw`!\[(?<picture>[^\]]*)\]\([^()]*\)`,
    String.raw`\[(?<label>[^\]]+)\]\((?<address>[^\s()]+)\)`,
    String.raw`(?<hard>(?: {2,}|\\)\n)`,
    // What stands before it is matched: to look behind is beyond Safari until 2023.
    String.raw`(?<before>^|[^\p{L}\p{N}_])_(?<line>[^\s_](?:[^_]*[^\s_])?)_(?![\p{L}\p{N}_])`,
  ].join("|"),
  "u",
);

const HEADING = /^(#{1,4})\s+(.*?)\s*#*$/;
const BULLET = /^\s{0,3}[-*+]\s+(.*)$/;
const NUMBER = /^\s{0,3}\d{1,9}[.)]\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const RULE = /^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;

/** The nodes of a text in Markdown. */
export function markdown(text) {
  const lines = String(text).replace(/\r\n?/g, "\n").split("\n");
  const blocks = document.createDocumentFragment();
  while (lines.length) {
    if (!lines[0].trim()) lines.shift();
    else blocks.append(takeBlock(lines));
  }
  return blocks;
}

function takeBlock(lines) {
  const heading = HEADING.exec(lines[0]);
  if (heading) {
    lines.shift();
    return element(`h${heading[1].length + 1}`, {}, inline(heading[2]));
  }
  if (RULE.test(lines[0])) {
    lines.shift();
    return element("hr");
  }
  if (QUOTE.test(lines[0])) {
    const quoted = takeWhile(lines, (line) => QUOTE.test(line)).map((line) => QUOTE.exec(line)[1]);
    return element("blockquote", {}, markdown(quoted.join("\n")));
  }
  if (BULLET.test(lines[0])) return takeList(lines, "ul", BULLET);
  if (NUMBER.test(lines[0])) return takeList(lines, "ol", NUMBER);
  const paragraph = [lines.shift(), ...takeWhile(lines, continuesParagraph)];
  return element("p", {}, inline(paragraph.join("\n").trim()));
}

function takeList(lines, tag, marker) {
  const list = element(tag);
  while (lines.length && marker.test(lines[0]) && !RULE.test(lines[0])) {
    const item = [marker.exec(lines.shift())[1], ...takeWhile(lines, continuesParagraph)];
    list.append(element("li", {}, inline(item.map((line) => line.trimStart()).join("\n"))));
    if (lines.length > 1 && !lines[0].trim() && marker.test(lines[1])) lines.shift();
  }
  return list;
}

function takeWhile(lines, belongs) {
  const taken = [];
  while (lines.length && belongs(lines[0])) taken.push(lines.shift());
  return taken;
}

function continuesParagraph(line) {
  return line.trim() && ![HEADING, BULLET, NUMBER, QUOTE, RULE].some((start) => start.test(line));
}

function inline(text) {
  const nodes = document.createDocumentFragment();
  while (text) {
    const found = INLINE.exec(text);
    if (!found) break;
    const { before = "" } = found.groups;
    nodes.append(text.slice(0, found.index), before, inlineNode(found));
    text = text.slice(found.index + found[0].length);
  }
  nodes.append(text);
  return nodes;
}

function inlineNode({ 0: source, groups: found }) {
  if (found.escaped !== undefined) return found.escaped;
  if (found.code !== undefined) return element("code", {}, found.code);
  if (found.strong !== undefined) return element("strong", {}, inline(found.strong));
  if (found.picture !== undefined) return found.picture; // the page loads nothing from elsewhere
  if (found.hard !== undefined) return element("br");
  const emphasised = found.star ?? found.line;
  if (emphasised !== undefined) return element("em", {}, inline(emphasised));
  if (!isSafeLink(found.address)) return source;
  const attributes = { href: found.address, target: "_blank", rel: "noopener noreferrer" };
  return element("a", attributes, inline(found.label));
}

/** Whether an address is absolute and neither a script nor data. */
export function isSafeLink(address) {
  try {
    return SAFE_LINKS.has(new URL(address).protocol);
  } catch {
    return false; // not absolute
  }
}

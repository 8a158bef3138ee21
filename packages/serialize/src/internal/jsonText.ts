/**
 * JSON text from outside.
 *
 * What is read here is flat, so text that nests deeply is refused before anything recursive sees it.
 */

const deepest = 64

const isEscaped = (text: string, quote: number): boolean => {
  let slashes = 0
  while (text[quote - 1 - slashes] === "\\") slashes += 1
  return slashes % 2 === 1
}

const closingQuote = (text: string, opening: number): number => {
  let at = text.indexOf('"', opening + 1)
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at < 0 ? text.length : at
}

/** Whether the brackets of a JSON text nest deeper than is allowed. */
export const isDeep = (text: string): boolean => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = closingQuote(text, at)
    else if (character === "]" || character === "}") depth -= 1
    else if ((character === "[" || character === "{") && ++depth > deepest) return true
  }
  return false
}

/** The value of a JSON text, or what is wrong with it. */
export const parse = (text: string): { readonly value: unknown } | { readonly fault: string } => {
  if (isDeep(text)) return { fault: `text nested deeper than ${deepest} levels` }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { fault: "text that is not JSON" }
  }
}

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

const refuseProto = (key: string, value: unknown): unknown => {
  if (key === "__proto__") throw new ForbiddenKey()
  return value
}

class ForbiddenKey extends Error {}

/** Whether a key may be `__proto__`, which an assignment would take for the prototype; escapes may spell it, too. */
const mayNameProto = (text: string): boolean => text.includes("__proto__") || text.includes("\\u")

/** The value of a JSON text, or what is wrong with it. */
export const parse = (text: string): { readonly value: unknown } | { readonly fault: string } => {
  if (isDeep(text)) return { fault: `text nested deeper than ${deepest} levels` }
  try {
    return { value: JSON.parse(text, mayNameProto(text) ? refuseProto : undefined) as unknown }
  } catch (error) {
    if (error instanceof ForbiddenKey) return { fault: "text with a key __proto__" }
    return { fault: "text that is not JSON" }
  }
}

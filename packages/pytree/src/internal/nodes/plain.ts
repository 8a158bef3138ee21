/**
 * Plain objects: how they are told from class instances, in which order their keys are read, how they are filled.
 */

/** Is this the prototype of a plain object? */
export const isPlainPrototype = (prototype: object | null): boolean =>
  prototype === Object.prototype || prototype === null

const isSorted = (keys: ReadonlyArray<string>): boolean => {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false
  return true
}

/** The own enumerable keys of an object, sorted by UTF-16 code unit. */
export const sortedKeys = (self: object): ReadonlyArray<string> => {
  const keys = Object.keys(self)
  return isSorted(keys) ? keys : keys.toSorted()
}

/** Gives an object an own property, whatever its prototype has under that name. */
export const setOwn = (self: object, key: string, value: unknown): void => {
  Object.defineProperty(self, key, { value, enumerable: true, configurable: true, writable: true })
}

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

/** An object of so many keys is read as a whole, unless it is a table. */
const many = 256

/** An object of more keys is always a table. */
const most = 1020

/**
 * Objects of many keys that were filled key by key, which engines keep as hash tables. Nobody can be asked whether an
 * object is one, but those that we make are known.
 */
const tables = new WeakSet<object>()

/** From now on, the object is taken for a hash table. */
export const markTable = (self: object, { length }: ReadonlyArray<string>): void => {
  if (length >= many && length <= most) tables.add(self)
}

/** Of an object with a hidden class all values at once cost a tenth of a look-up for each, of a table ten times as much. */
const isReadWhole = (self: object, { length }: ReadonlyArray<string>): boolean =>
  length >= many && length <= most && !tables.has(self)

/** Are these the own keys, in this order, or in another one? */
const compareKeys = (self: object, keys: ReadonlyArray<string>): "ordered" | "same" | "others" => {
  const own = Object.keys(self)
  if (own.length !== keys.length) return "others"
  let ordered = true
  for (let i = 0; i < keys.length; i++) {
    // Trees that we made have their keys in order, and a comparison is ten times as fast as a question.
    if (own[i] === keys[i]) continue
    if (!Object.prototype.propertyIsEnumerable.call(self, keys[i]!)) return "others"
    ordered = false
  }
  return ordered ? "ordered" : "same"
}

/** The values of an object in the order of these keys, or nothing if its own enumerable keys are others. */
export const valuesOf = (self: object, keys: ReadonlyArray<string>): ReadonlyArray<unknown> | undefined => {
  const found = compareKeys(self, keys)
  if (found === "others") return undefined
  if (found === "ordered" && isReadWhole(self, keys)) return Object.values(self)
  const values: Array<unknown> = []
  for (const key of keys) values.push((self as Readonly<Record<string, unknown>>)[key])
  return values
}

/** Gives an object an own property, whatever its prototype has under that name. */
export const setOwn = (self: object, key: string, value: unknown): void => {
  Object.defineProperty(self, key, { value, enumerable: true, configurable: true, writable: true })
}

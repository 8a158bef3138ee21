/**
 * Bytes of a file as elements of a typed array, and back.
 *
 * Files are little-endian. Where the host is too, a view is enough as long as the offset is a multiple of the element
 * size; everything else is a copy.
 */

/** The typed arrays this package reads and writes. */
export interface ElementArray<A> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A
}

/** Whether this machine keeps the low byte first. */
export const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** A copy in which each group of `width` bytes is reversed. */
export const swapped = (bytes: Uint8Array, width: number): Uint8Array => {
  const copy = new Uint8Array(bytes)
  for (let start = 0; start < copy.length; start += width) copy.subarray(start, start + width).reverse()
  return copy
}

const inHostOrder = (bytes: Uint8Array, width: number): Uint8Array =>
  hostIsLittleEndian || width === 1 ? bytes : swapped(bytes, width)

/** The elements in little-endian bytes: a view when it can be one, a copy otherwise. */
export const elementsOf = <A>(array: ElementArray<A>, bytes: Uint8Array): A => {
  const width = array.BYTES_PER_ELEMENT
  const ordered = inHostOrder(bytes, width)
  const aligned = ordered.byteOffset % width === 0 ? ordered : new Uint8Array(ordered)
  return new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / width)
}

/** The little-endian bytes of a typed array: a view where the host is little-endian. */
export const bytesOf = (array: ArrayBufferView, width: number): Uint8Array =>
  inHostOrder(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), width)

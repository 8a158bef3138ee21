/**
 * Checks that the tensors of a header fill the data: in some order they follow each other from its first byte to its
 * last, each as long as its dtype and shape say. Only then may the bytes be handed out.
 */
import * as Dtypes from "./dtypes.ts"
import { fault, type Info } from "./headerReader.ts"
import { shape as showShape } from "./show.ts"

const inOffsetOrder = (a: Info, b: Info): number => a.begin - b.begin || a.end - b.end

const checkLength = ({ at, begin, dtype, end, name, shape }: Info): void => {
  const length = Dtypes.byteLength(dtype, shape)
  if (length === undefined) {
    throw fault("InvalidShape", at, name, "a whole number of bytes below 2^53", `${dtype} ${showShape(shape)}`)
  }
  if (end - begin !== length) {
    throw fault("InvalidOffsets", at, name, `${length} bytes for ${dtype} ${showShape(shape)}`, `[${begin}, ${end}]`)
  }
}

/** The infos in the order of their data, which fills `dataLength` bytes. Throws `InvalidSafetensors`. */
export const inLayoutOrder = (
  infos: ReadonlyArray<Info>,
  headerEnd: number,
  dataLength: number
): ReadonlyArray<Info> => {
  const ordered = infos.toSorted(inOffsetOrder)
  let filled = 0
  for (const info of ordered) {
    if (info.begin !== filled) {
      const expected = `data that begins at ${filled}, where the tensor before it ends`
      throw fault("InvalidOffsets", info.at, info.name, expected, `[${info.begin}, ${info.end}]`)
    }
    checkLength(info)
    filled = info.end
  }
  if (filled > dataLength) {
    throw fault("Truncated", headerEnd + dataLength, undefined, `${filled} bytes of data`, `${dataLength}`)
  }
  if (filled < dataLength) {
    throw fault("InvalidOffsets", headerEnd + filled, undefined, `${filled} bytes of data`, `${dataLength}`)
  }
  return ordered
}

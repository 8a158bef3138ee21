/**
 * The part of a browser's private file system that stores use, in memory: a file gets its contents when its writer is
 * closed, failures are the `DOMException`s of the standard.
 */

const exception = (name: string): DOMException => new DOMException(`a ${name}`, name)

type Node = FakeFile | FakeDirectory

class FakeFile {
  readonly kind = "file"
  readonly name: string
  contents = new Blob([])
  constructor(name: string) {
    this.name = name
  }

  async getFile(): Promise<Blob> {
    return this.contents
  }

  async createWritable() {
    const parts: Array<Blob> = []
    return {
      write: async (chunk: Uint8Array<ArrayBuffer>) => void parts.push(new Blob([chunk])),
      close: async () => void (this.contents = new Blob(parts)),
      abort: async () => void (parts.length = 0)
    }
  }
}

class FakeDirectory {
  readonly kind = "directory"
  readonly name: string
  readonly children = new Map<string, Node>()
  constructor(name: string) {
    this.name = name
  }

  async getDirectoryHandle(name: string, options: { readonly create?: boolean } = {}): Promise<FakeDirectory> {
    const found = this.children.get(name) ?? (options.create === true ? new FakeDirectory(name) : undefined)
    if (found === undefined) throw exception("NotFoundError")
    if (found.kind !== "directory") throw exception("TypeMismatchError")
    this.children.set(name, found)
    return found
  }

  async getFileHandle(name: string, options: { readonly create?: boolean } = {}): Promise<FakeFile> {
    const found = this.children.get(name) ?? (options.create === true ? new FakeFile(name) : undefined)
    if (found === undefined) throw exception("NotFoundError")
    if (found.kind !== "file") throw exception("TypeMismatchError")
    this.children.set(name, found)
    return found
  }

  async removeEntry(name: string): Promise<void> {
    if (!this.children.delete(name)) throw exception("NotFoundError")
  }

  async *entries(): AsyncGenerator<[string, Node]> {
    yield* this.children.entries()
  }
}

/** An empty directory. */
export const makeDirectory = (): FileSystemDirectoryHandle => {
  const directory: object = new FakeDirectory("fake")
  return directory as FileSystemDirectoryHandle // all of it that a store calls
}

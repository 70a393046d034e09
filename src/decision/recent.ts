/** One entry, between the one used before it and the one used after it. */
interface Node<Value> {
  readonly key: string;
  value: Value;
  bytes: number;
  older: Node<Value> | undefined;
  newer: Node<Value> | undefined;
}

/**
 * Entries up to a number of bytes, of which those go first that were not used for longest. Much less than a library
 * for caches does, at a third of its cost: one entry is made for every new question.
 */
export class Recent<Value> {
  /** Entries that went because others needed the room. */
  evictions = 0;
  bytes = 0;
  private readonly nodes = new Map<string, Node<Value>>();
  private oldest: Node<Value> | undefined;
  private newest: Node<Value> | undefined;
  private readonly mostBytes: number;
  private readonly mostEntryBytes: number;

  constructor(mostBytes: number, mostEntryBytes: number) {
    this.mostBytes = mostBytes;
    this.mostEntryBytes = mostEntryBytes;
  }

  get size(): number {
    return this.nodes.size;
  }

  get(key: string): Value | undefined {
    const node = this.nodes.get(key);
    if (node === undefined) return undefined;
    if (node !== this.newest) {
      this.unlink(node);
      this.append(node);
    }
    return node.value;
  }

  /** An entry larger than one may be is not kept, nor the one before it under its key. */
  set(key: string, value: Value, bytes: number): void {
    const known = this.nodes.get(key);
    if (bytes > this.mostEntryBytes) {
      if (known !== undefined) this.remove(known);
      return;
    }
    if (known === undefined) {
      const node: Node<Value> = { key, value, bytes, older: undefined, newer: undefined };
      this.nodes.set(key, node);
      this.append(node);
      this.bytes += bytes;
    } else {
      this.bytes += bytes - known.bytes;
      known.value = value;
      known.bytes = bytes;
      this.unlink(known);
      this.append(known);
    }
    while (this.bytes > this.mostBytes && this.oldest !== undefined) {
      this.remove(this.oldest);
      this.evictions++;
    }
  }

  delete(key: string): void {
    const node = this.nodes.get(key);
    if (node !== undefined) this.remove(node);
  }

  private remove(node: Node<Value>): void {
    this.nodes.delete(node.key);
    this.unlink(node);
    this.bytes -= node.bytes;
  }

  private append(node: Node<Value>): void {
    node.older = this.newest;
    if (this.newest === undefined) this.oldest = node;
    else this.newest.newer = node;
    this.newest = node;
  }

  private unlink(node: Node<Value>): void {
    if (node.older === undefined) this.oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
  }
}

// The pictures of the present trial and of the next one, fetched ahead and decoded once.

export class Pictures {
  constructor(client) {
    this.client = client;
    this.held = new Map(); // a picture's address -> promise of its blob's address
  }

  /** The address of a blob that decodes; rejects with a Refusal where it is not served. */
  get(url) {
    if (!this.held.has(url)) {
      const fetched = this.client.insist(() => this.fetch(url));
      fetched.catch(() => this.held.delete(url));
      this.held.set(url, fetched);
    }
    return this.held.get(url);
  }

  prefetch(url) {
    if (url) this.get(url).catch(() => {}); // asked for again when its turn comes
  }

  async fetch(url) {
    const address = URL.createObjectURL(await this.client.picture(url));
    const image = new Image();
    image.src = address;
    await image.decode();
    return address;
  }

  /** Lets go of all pictures but these. */
  keep(...urls) {
    for (const [url, fetched] of this.held) {
      if (urls.includes(url)) continue;
      this.held.delete(url);
      fetched.then(URL.revokeObjectURL, () => {});
    }
  }
}

/** To which server a key belongs. Knows nothing of VS Code. */

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Scheme, host and port of an address, in one spelling; empty for the vendor's own address. Undefined if it is none. */
export function originOf(address: string): string | undefined {
  const text = address.trim();
  if (!text) return "";
  try {
    // Ollama's may be written without a scheme.
    const { protocol, host } = new URL(SCHEME.test(text) ? text : `http://${text}`);
    return host && /^https?:$/.test(protocol) ? `${protocol}//${host}` : undefined;
  } catch {
    return undefined;
  }
}

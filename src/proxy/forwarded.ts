/**
 * The `Forwarded` field (RFC 7239) that queue-proxy makes up where the client sent none: knative/serving
 * pkg/queue/forwarded_shim.go. The first node carries host and proto; every further node stands alone; whatever has a
 * colon is taken for IPv6. Returns '' where there is nothing to say.
 */
export function synthesiseForwarded(xForwardedFor: string, host: string, proto: string): string {
  // The usual case, written down: one IPv4 hop, and no X-Forwarded-Host.
  if (host === "" && proto !== "" && /^[\d.]+$/.test(xForwardedFor))
    return `for=${xForwardedFor};proto=${proto}`;
  const nodes = xForwardedFor.split(",").map((node) => quoteNode(node.trim()));
  const first: string[] = [];
  if (nodes[0] !== undefined && nodes[0] !== "") first.push(`for=${nodes[0]}`);
  if (host.trim() !== "") first.push(`host=${host.trim()}`);
  if (proto.trim() !== "") first.push(`proto=${proto.trim()}`);
  return [first.join(";"), ...nodes.slice(1).map((node) => `for=${node}`)].join(", ");
}

function quoteNode(node: string): string {
  return node.includes(":") ? `"[${node}]"` : node;
}

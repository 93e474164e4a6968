/**
 * Tenants of Microsoft that Sentinel's AWS connector federates with (commercial, US government): every customer of it has such a trust, and the
 * principals in it are Microsoft's (facts/aws.md b.1; Microsoft's connector documentation names both).
 */
const SENTINEL = new Set(['33e01921-4d64-4f8c-a055-5bdaffd5e33d', 'cab8a31a-1906-4287-a0d8-4eef66b95f6e'])

/** True for a tenant that Microsoft Sentinel federates from. */
export function isSentinelTenant(tenantId: string | null): boolean {
  return tenantId !== null && SENTINEL.has(tenantId)
}

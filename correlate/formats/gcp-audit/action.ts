/** `v1`, `v1beta1`, `v2alpha`, `alpha`, `beta`: which version of an API was called says nothing of what was done. */
const VERSION = /^(?:v\d+(?:(?:p\d+)?(?:alpha|beta)\d*)?|alpha|beta)$/i
/** Verbs that mean nothing without the resource that they are about (`google.cloud.sql.v1.SqlUsersService.Delete`). */
const BARE_VERB =
  /^(?:get|list|aggregatedlist|insert|bulkinsert|create|delete|update|patch|set|add|remove|start|stop|reset|restart|resume|suspend|clone|copy|move|export|import|enable|disable|cancel|undelete|wait|run|search|query|watch)$/i

/**
 * The part of an action that names what was done to what kind of thing, from a method's name. Names of gRPC methods
 * (`google.cloud.run.v1.Services.CreateService`) hold the kind in their last segment; of REST-style ones (`v1.compute.instances.delete`,
 * `io.k8s.core.v1.secrets.list`) and of bare verbs everything but service and version is needed: `instances.delete`, `core.secrets.list`,
 * `SqlUsersService.Delete`.
 */
export function operationName(method: string, service: string | null): string {
  const parts = method.split(/[./]/).filter((part) => part !== '')
  const last = parts.at(-1)
  if (last === undefined || parts.length === 1) return last ?? 'unknown'
  const before = parts.at(-2)!
  if (/^[A-Z]/.test(last) || /^[A-Z]/.test(before)) {
    return BARE_VERB.test(last) && !VERSION.test(before) ? `${before}.${last}` : last
  }
  const kept = parts.filter((part) => !VERSION.test(part))
  const start = kept[0] === 'io' && kept[1] === 'k8s' ? 2 : kept[0] === 'google' && kept[1] === 'cloud' ? 2 : kept[0] === 'google' ? 1 : 0
  // `storage.googleapis.com:storage.objects.delete` would name its service twice.
  const named = kept[start] === service?.split('.')[0] && kept.length > start + 1 ? start + 1 : start
  return kept.slice(named).join('.') || last
}

/** Microsoft's sovereign clouds: where each has its services (facts: Entra, "Other clouds"). */
import { AzureAuthorityHosts } from '@azure/identity'
import { z } from 'zod'

export const azureCloud = z
  .enum(['public', 'usgov', 'china'], 'is none of public, usgov, china')
  .default('public')
  .meta({ description: 'The Microsoft cloud: public, usgov or china.' })

export type AzureCloud = z.output<typeof azureCloud>

interface Addresses {
  readonly authority: string
  /** Base address of the Logs query API; the scope of its tokens is this with `/.default`. */
  readonly logs: string
  /** Suffix of an Event Hubs namespace. */
  readonly eventHubs: string
}

export const ADDRESSES: Readonly<Record<AzureCloud, Addresses>> = {
  public: { authority: AzureAuthorityHosts.AzurePublicCloud, logs: 'https://api.loganalytics.io', eventHubs: 'servicebus.windows.net' },
  usgov: { authority: AzureAuthorityHosts.AzureGovernment, logs: 'https://api.loganalytics.us', eventHubs: 'servicebus.usgovcloudapi.net' },
  china: { authority: AzureAuthorityHosts.AzureChina, logs: 'https://api.loganalytics.azure.cn', eventHubs: 'servicebus.chinacloudapi.cn' },
}

import { z } from 'zod'
import { SignInWay } from '../access/sign-in.ts'
import { NoQuery } from '../query.ts'
import { defineRoute } from './route.ts'

const SignIn = z.object({ ways: z.array(SignInWay) }).meta({ id: 'SignIn' })

export const signIn = defineRoute({
  path: '/sign-in',
  summary: 'Where people sign in to the page.',
  open: true,
  query: NoQuery,
  answer: { description: 'One entry an issuer with a sign-in; none where tokens are pasted.', schema: SignIn },
  handle: async ({ response }, { services }) => {
    response.setHeader('Cache-Control', 'no-cache')
    response.json({ ways: services.signIn ?? [] })
  },
})

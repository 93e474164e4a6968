import { App } from './app.ts'
import { takeTokenFromAddress } from './sign-in/pasted-token.ts'
import { takeAnswerFromAddress } from './sign-in/session.ts'

takeTokenFromAddress()
takeAnswerFromAddress()
const host = document.getElementById('app')
if (host) new App(host).start()

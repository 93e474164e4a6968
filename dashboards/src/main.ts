import { App } from './app.ts'
import { takeTokenFromAddress } from './token.ts'

takeTokenFromAddress()
const host = document.getElementById('app')
if (host) new App(host).start()

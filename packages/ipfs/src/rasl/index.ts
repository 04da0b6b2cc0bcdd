export { answerRasl } from './rasl.ts'

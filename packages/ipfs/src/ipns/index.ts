export { answerName } from './answer-name.ts'
export { createPublishedNames, type PublishedNames } from './published-names.ts'

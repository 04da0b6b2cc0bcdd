export { UsersFileError } from './parse-users.ts'
export { openUsersFile, type UsersFile } from './users-file.ts'

/** Passwords of the users in {@link usersFile}; one has colons, as passwords may. */
export const passwords = { alice: 'correct horse battery staple', bob: 'bob:with:colons' }

/** Lines of a users file, at the lowest cost that bcrypt has: what is tested is not how long guessing takes. */
export const usersFile = [
  'alice:$2y$04$kI6.77dRFKEQltKfbI7/ROmS5qX.Isdi.DAeIIvyoxioVnEIJe3o6',
  'bob:$2y$04$9VZakKB/qJXgNPDiEmyWIOQTKgU0Xy6ppUH95VpJ6bgvCJ1mw1QLC',
]

//go:build tools

// Package tools names the command this module builds.
package tools

import _ "oras.land/oras/cmd/oras"

//go:build tools

// Package tools names the programs that are built from this module's pinned versions.
package tools

import (
	_ "github.com/kedacore/keda/v2/cmd/operator"
	_ "github.com/kedacore/keda/v2/cmd/adapter"
)

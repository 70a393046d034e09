//go:build wasip1

package main

import "unsafe"

//go:wasmimport verdict progress
func progress(stage unsafe.Pointer, length uint32, done uint32, total uint32)

// report tells the host how far a long operation has come.
func report(stage string, done, total int) {
	progress(unsafe.Pointer(unsafe.StringData(stage)), uint32(len(stage)), uint32(done), uint32(total))
}

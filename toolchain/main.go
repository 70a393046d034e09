// Package main is OPA's toolchain as one WebAssembly module: a WASI reactor whose exports the host calls.
//
// The host writes a request into the buffer that allocate returns, then calls operate (authoring work), begin (a
// context for builtins) or call (one builtin). Answers start with four bytes of length, little-endian.
package main

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"unsafe"
)

// Buffers up to this size are kept from call to call; larger ones go back to the collector.
const keptBytes = 256 << 10

var (
	request  []byte
	kept     []byte
	response = make([]byte, 0, 4096)
)

// A reactor has no main of its own.
func main() {}

// configure bounds what the collector lets the heap grow to, so that it works harder before memory runs out.
//
//go:wasmexport configure
func configure(limitBytes int64) {
	debug.SetMemoryLimit(limitBytes)
}

// allocate returns where the next request goes. It stays valid until the request was answered.
//
//go:wasmexport allocate
func allocate(size uint32) unsafe.Pointer {
	switch {
	case size > keptBytes:
		request = make([]byte, size)
	default:
		if uint32(len(kept)) < size {
			kept = make([]byte, max(size, 4096))
		}
		request = kept[:size]
	}
	return unsafe.Pointer(unsafe.SliceData(request))
}

// operate answers one authoring request.
//
//go:wasmexport operate
func operate() unsafe.Pointer {
	return answer(func(out []byte) []byte {
		return appendReply(out, serve(request))
	}, func(out []byte, crash string) []byte {
		return appendReply(out, reply{Crash: crash})
	})
}

// begin opens the context that the calls of one evaluation share. The request is the seed.
//
//go:wasmexport begin
func begin(nowNs int64) {
	current = newEvaluation(nowNs, request)
	request = nil
}

// end drops the context of an evaluation with everything it kept.
//
//go:wasmexport end
func end() {
	current = nil
}

// call runs one builtin in the context that begin opened.
//
//go:wasmexport call
func call() unsafe.Pointer {
	return answer(callBuiltin, func(out []byte, crash string) []byte {
		return append(append(out, answerCrash), crash...)
	})
}

// answer runs work with an empty answer of four bytes to fill. A panic inside OPA becomes the answer that crashed
// makes of it: the caller then replaces this instance, whose state nobody knows.
func answer(work func([]byte) []byte, crashed func([]byte, string) []byte) (result unsafe.Pointer) {
	defer func() {
		request = nil
		if panicked := recover(); panicked != nil {
			result = finish(crashed(make([]byte, 4), fmt.Sprintf("%v\n%s", panicked, debug.Stack())))
		}
	}()
	if cap(response) > keptBytes {
		response = make([]byte, 0, 4096)
	}
	return finish(work(append(response[:0], 0, 0, 0, 0)))
}

func finish(out []byte) unsafe.Pointer {
	response = out
	binary.LittleEndian.PutUint32(out, uint32(len(out)-4))
	return unsafe.Pointer(unsafe.SliceData(out))
}

package main

// What the canonical ABI needs: memory for what the host passes, and results that stay where they are until the host has read
// them. The collector does not move memory; it only has to see that the memory is still in use.

import (
	"math/bits"
	"unsafe"
)

var inUse [][]uint64

func take(bytes uintptr) unsafe.Pointer {
	words := make([]uint64, (bytes+7)/8+1)
	inUse = append(inUse, words)
	return unsafe.Pointer(&words[0])
}

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, newSize uint32) unsafe.Pointer {
	fresh := take(uintptr(newSize))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(fresh), newSize), unsafe.Slice((*byte)(old), min(oldSize, newSize)))
	}
	return fresh
}

// given is a string that the host passed, as a copy of its own.
func given(at unsafe.Pointer, length uint32) string {
	if length == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(at), length))
}

// array is memory for count elements of size bytes.
func array(count, size int) unsafe.Pointer {
	high, bytes := bits.Mul64(uint64(count), uint64(size))
	if high != 0 || bytes > 1<<31 {
		panic("the result is too large")
	}
	return take(uintptr(bytes))
}

func storeWord(at unsafe.Pointer, offset uintptr, value uint32) {
	*(*uint32)(unsafe.Add(at, offset)) = value
}

func storeString(at unsafe.Pointer, offset uintptr, value string) {
	bytes := take(uintptr(len(value)))
	copy(unsafe.Slice((*byte)(bytes), len(value)), value)
	storeWord(at, offset, uint32(uintptr(bytes)))
	storeWord(at, offset+4, uint32(len(value)))
}

// giveList is what a function returns whose result is a list.
func giveList(elements unsafe.Pointer, count int) unsafe.Pointer {
	area := take(8)
	storeWord(area, 0, uint32(uintptr(elements)))
	storeWord(area, 4, uint32(count))
	return area
}

func release() {
	inUse = nil
}

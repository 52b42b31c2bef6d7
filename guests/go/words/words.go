// The interface acme:words/words in Go.
package main

import (
	"slices"
	"strings"
	"unicode"
	"unsafe"
)

func main() {}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
}

type wordCount struct {
	word  string
	count uint32
}

func frequencies(text string, top uint32) []wordCount {
	counts := map[string]uint32{}
	for _, word := range wordsOf(text) {
		counts[word]++
	}
	list := make([]wordCount, 0, len(counts))
	for word, count := range counts {
		list = append(list, wordCount{word, count})
	}
	slices.SortFunc(list, func(a, b wordCount) int {
		if a.count != b.count {
			return int(b.count) - int(a.count)
		}
		return strings.Compare(a.word, b.word)
	})
	return list[:min(len(list), int(min(top, 1<<20)))]
}

func shared(left, right string) []string {
	known := map[string]bool{}
	for _, word := range wordsOf(left) {
		known[word] = true
	}
	list := []string{}
	for _, word := range wordsOf(right) {
		if known[word] {
			known[word] = false
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return list
}

//go:wasmexport acme:words/words@1.0.0#frequencies
func exportFrequencies(at unsafe.Pointer, length uint32, top uint32) unsafe.Pointer {
	list := frequencies(given(at, length), top)
	elements := array(len(list), 12)
	for n, entry := range list {
		element := unsafe.Add(elements, n*12)
		storeString(element, 0, entry.word)
		storeWord(element, 8, entry.count)
	}
	return giveList(elements, len(list))
}

//go:wasmexport acme:words/words@1.0.0#shared
func exportShared(left unsafe.Pointer, leftLength uint32, right unsafe.Pointer, rightLength uint32) unsafe.Pointer {
	list := shared(given(left, leftLength), given(right, rightLength))
	elements := array(len(list), 8)
	for n, word := range list {
		storeString(unsafe.Add(elements, n*8), 0, word)
	}
	return giveList(elements, len(list))
}

//go:wasmexport cabi_post_acme:words/words@1.0.0#frequencies
func afterFrequencies(unsafe.Pointer) {
	release()
}

//go:wasmexport cabi_post_acme:words/words@1.0.0#shared
func afterShared(unsafe.Pointer) {
	release()
}

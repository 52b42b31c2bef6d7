// What a Rust guest needs of the canonical ABI. `Text`, `List`, `Maybe` and `Outcome` lie in memory exactly as WIT's string,
// list, option and result do, and `#[repr(C)]` structs, `#[repr(C, u8)]` and `#[repr(u8)]` enums exactly as records, variants and
// enums, so values need no conversion in either direction. Everything is allocated in one arena, which the post-return of every
// export empties: a guest keeps nothing between two calls. Needs nothing but the standard library.
#![allow(dead_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ops::Deref;

extern "C" {
    static __heap_base: u8;
}

struct Arena {
    top: Cell<usize>,
}

// A component instance has one thread.
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena { top: Cell::new(0) };

const PAGE: usize = 1 << 16;

unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let top = match self.top.get() {
            0 => &__heap_base as *const u8 as usize,
            top => top,
        };
        let end = top
            .checked_add(layout.align() - 1)
            .map(|unaligned| unaligned & !(layout.align() - 1))
            .and_then(|start| start.checked_add(layout.size()).map(|end| (start, end)));
        let (start, end) = match end {
            Some(range) => range,
            None => return std::ptr::null_mut(),
        };
        let have = core::arch::wasm32::memory_size(0) * PAGE;
        if end > have && core::arch::wasm32::memory_grow(0, (end - have + PAGE - 1) / PAGE) == usize::MAX {
            return std::ptr::null_mut();
        }
        self.top.set(end);
        start as *mut u8
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if pointer as usize + layout.size() == self.top.get() {
            self.top.set(pointer as usize);
        }
    }

    // What was allocated last grows where it is.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let last = pointer as usize + layout.size() == self.top.get();
        if last {
            let grown = Layout::from_size_align_unchecked(new_size.saturating_sub(layout.size()), 1);
            if new_size >= layout.size() && self.alloc(grown).is_null() {
                return std::ptr::null_mut();
            }
            self.top.set(pointer as usize + new_size);
            return pointer;
        }
        let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
        if !moved.is_null() {
            std::ptr::copy_nonoverlapping(pointer, moved, layout.size().min(new_size));
        }
        moved
    }
}

#[no_mangle]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
    let layout = Layout::from_size_align_unchecked(old_size, align);
    let pointer = if old_size == 0 {
        ARENA.alloc(Layout::from_size_align_unchecked(new_size, align))
    } else {
        ARENA.realloc(old, layout, new_size)
    };
    if pointer.is_null() {
        core::arch::wasm32::unreachable();
    }
    pointer
}

pub fn empty_arena() {
    ARENA.top.set(0);
}

#[macro_export]
macro_rules! post_return {
    ($($function:ident = $export:literal),* $(,)?) => {
        $(#[export_name = $export]
        extern "C" fn $function(_result: *const u8) {
            $crate::abi::empty_arena();
        })*
    };
}

/// A list that lives until the post-return.
#[repr(C)]
pub struct List<T: 'static> {
    at: *const T,
    length: usize,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}

impl<T> List<T> {
    /// # Safety
    /// `at` and `length` are what the host passed for a list of `T`.
    pub unsafe fn new(at: *const T, length: usize) -> Self {
        List { at, length }
    }

    pub fn as_slice(&self) -> &'static [T] {
        if self.length == 0 {
            return &[];
        }
        // The host allocated it in this memory, with this length, for the time of the call.
        unsafe { std::slice::from_raw_parts(self.at, self.length) }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(elements: Vec<T>) -> Self {
        let elements = elements.leak();
        List { at: elements.as_ptr(), length: elements.len() }
    }
}

/// A string that lives until the post-return.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    at: *const u8,
    length: usize,
}

impl Text {
    /// # Safety
    /// `at` and `length` are what the host passed for a string.
    pub unsafe fn new(at: *const u8, length: usize) -> Self {
        Text { at, length }
    }

    pub fn as_str(&self) -> &'static str {
        if self.length == 0 {
            return "";
        }
        // The host passes UTF-8 only.
        unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.at, self.length)) }
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&'static str> for Text {
    fn from(s: &'static str) -> Self {
        Text { at: s.as_ptr(), length: s.len() }
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        let s: &'static mut str = Box::leak(s.into_boxed_str());
        Text { at: s.as_ptr(), length: s.len() }
    }
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Maybe<T> {
    None,
    Some(T),
}

impl<T> From<Option<T>> for Maybe<T> {
    fn from(option: Option<T>) -> Self {
        match option {
            Some(value) => Maybe::Some(value),
            None => Maybe::None,
        }
    }
}

impl<T: Copy> Maybe<T> {
    pub fn get(&self) -> Option<T> {
        match *self {
            Maybe::Some(value) => Some(value),
            Maybe::None => None,
        }
    }
}

#[repr(C, u8)]
pub enum Outcome<T, E> {
    Ok(T),
    Err(E),
}

impl<T, E> From<Result<T, E>> for Outcome<T, E> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Outcome::Ok(value),
            Err(error) => Outcome::Err(error),
        }
    }
}

/// A result that is returned by pointer; it lies in the arena until the post-return.
pub fn give<T>(value: T) -> *const T {
    Box::leak(Box::new(value))
}

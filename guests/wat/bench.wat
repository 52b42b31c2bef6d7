;; What the benchmarks call: the least code a guest can have for each shape of value. Memory is handed out in one direction and
;; taken back by the post-return of each call.
(component
  (core module $core
    (memory (export "memory") 4)
    (global $top (mut i32) (i32.const 1024))

    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32) (local $end i32) (local $missing i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (local.set $end (i32.add (local.get $at) (local.get $size)))
      (if (i32.lt_u (local.get $end) (local.get $at)) (then unreachable))
      (local.set $missing
        (i32.sub
          (i32.add (i32.shr_u (local.get $end) (i32.const 16)) (i32.const 1))
          (memory.size)))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then unreachable))))
      (global.set $top (local.get $end))
      (if (local.get $old-size)
        (then (memory.copy (local.get $at) (local.get $old)
          (select (local.get $old-size) (local.get $size) (i32.lt_u (local.get $old-size) (local.get $size))))))
      (local.get $at))

    (func (export "post-return") (param i32)
      (global.set $top (i32.const 1024)))

    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))

    ;; A string or a list of anything: the address and length as they came.
    (func (export "echo") (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 16) (local.get $at))
      (i32.store (i32.const 20) (local.get $length))
      (i32.const 16))

    (func (export "echo-record") (param $id i32) (param $name i32) (param $name-length i32) (param $score f64) (param $active i32)
      (result i32)
      (i32.store (i32.const 32) (local.get $id))
      (i32.store (i32.const 36) (local.get $name))
      (i32.store (i32.const 40) (local.get $name-length))
      (f64.store (i32.const 48) (local.get $score))
      (i32.store8 (i32.const 56) (local.get $active))
      (i32.const 32))

    (func (export "sum") (param $at i32) (param $length i32) (result i64)
      (local $sum i64) (local $end i32)
      (local.set $end (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 2))))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (local.set $sum (i64.add (local.get $sum) (i64.load32_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br $next)))
      (global.set $top (i32.const 1024))
      (local.get $sum)))

  (core instance $guest (instantiate $core))
  (alias core export $guest "memory" (core memory $memory))
  (alias core export $guest "realloc" (core func $realloc))
  (alias core export $guest "post-return" (core func $post-return))

  (func (export "add") (param "left" s32) (param "right" s32) (result s32)
    (canon lift (core func $guest "add")))

  (func (export "echo") (param "s" string) (result string)
    (canon lift (core func $guest "echo") (memory $memory) (realloc $realloc) (post-return $post-return)))

  (type $person' (record (field "id" u32) (field "name" string) (field "score" f64) (field "active" bool)))
  (import "person" (type $person (eq $person')))
  (func (export "echo-record") (param "person" $person) (result $person)
    (canon lift (core func $guest "echo-record") (memory $memory) (realloc $realloc) (post-return $post-return)))

  (func (export "echo-numbers") (param "numbers" (list u32)) (result (list u32))
    (canon lift (core func $guest "echo") (memory $memory) (realloc $realloc) (post-return $post-return)))

  (func (export "echo-strings") (param "strings" (list string)) (result (list string))
    (canon lift (core func $guest "echo") (memory $memory) (realloc $realloc) (post-return $post-return)))

  (func (export "sum") (param "numbers" (list u32)) (result u64)
    (canon lift (core func $guest "sum") (memory $memory) (realloc $realloc))))

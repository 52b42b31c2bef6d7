;; A resource with state in globals of the guest: counters that are made, counted up and dropped. `dropped` tells how often the
;; destructor ran.
(component
  (core module $core
    (memory 1)
    (global $last (mut i32) (i32.const 0))
    (global $dropped (mut i32) (i32.const 0))
    ;; The representation is the address of the count; a page holds 16383 of them, one more traps.
    (func (export "take") (param $start i32) (result i32)
      (global.set $last (i32.add (global.get $last) (i32.const 4)))
      (i32.store (global.get $last) (local.get $start))
      (global.get $last))
    (func (export "increment") (param $counter i32) (result i32)
      (i32.store (local.get $counter) (i32.add (i32.load (local.get $counter)) (i32.const 1)))
      (i32.load (local.get $counter)))
    (func (export "value") (param $counter i32) (result i32)
      (i32.load (local.get $counter)))
    (func (export "drop") (param $counter i32)
      (i32.store (local.get $counter) (i32.const -1))
      (global.set $dropped (i32.add (global.get $dropped) (i32.const 1))))
    (func (export "dropped") (result i32) (global.get $dropped)))
  (core instance $state (instantiate $core))

  (type $counter (resource (rep i32) (dtor (core func $state "drop"))))
  (core func $new (canon resource.new $counter))
  (core func $rep (canon resource.rep $counter))
  (core func $forget (canon resource.drop $counter))

  (core module $handles
    (import "state" "take" (func $take (param i32) (result i32)))
    (import "state" "value" (func $value (param i32) (result i32)))
    (import "canon" "new" (func $new (param i32) (result i32)))
    (import "canon" "rep" (func $rep (param i32) (result i32)))
    (import "canon" "drop" (func $drop (param i32)))
    (func (export "make") (param i32) (result i32)
      (call $new (call $take (local.get 0))))
    ;; Owns what it is given: takes the value and drops the counter.
    (func (export "consume") (param $handle i32) (result i32)
      (local $value i32)
      (local.set $value (call $value (call $rep (local.get $handle))))
      (call $drop (local.get $handle))
      (local.get $value)))
  (core instance $guest (instantiate $handles
    (with "state" (instance $state))
    (with "canon" (instance (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $forget))))))

  (func $make (param "start" u32) (result (own $counter))
    (canon lift (core func $guest "make")))
  (func $increment (param "self" (borrow $counter)) (result u32)
    (canon lift (core func $state "increment")))
  (func $value (param "self" (borrow $counter)) (result u32)
    (canon lift (core func $state "value")))
  (func $consume (param "counter" (own $counter)) (result u32)
    (canon lift (core func $guest "consume")))
  (func $dropped (result u32)
    (canon lift (core func $state "dropped")))

  ;; An interface with types in it is an instance of a component that exports what it is given.
  (component $counters
    (import "type" (type $type (sub resource)))
    (import "make" (func $make (param "start" u32) (result (own $type))))
    (import "increment" (func $increment (param "self" (borrow $type)) (result u32)))
    (import "value" (func $value (param "self" (borrow $type)) (result u32)))
    (import "consume" (func $consume (param "counter" (own $type)) (result u32)))
    (import "dropped" (func $dropped (result u32)))
    (export $counter "counter" (type $type))
    (export "[constructor]counter" (func $make) (func (param "start" u32) (result (own $counter))))
    (export "[method]counter.increment" (func $increment) (func (param "self" (borrow $counter)) (result u32)))
    (export "[method]counter.value" (func $value) (func (param "self" (borrow $counter)) (result u32)))
    (export "[static]counter.consume" (func $consume) (func (param "counter" (own $counter)) (result u32)))
    (export "dropped" (func $dropped)))
  (instance $interface (instantiate $counters
    (with "type" (type $counter)) (with "make" (func $make)) (with "increment" (func $increment)) (with "value" (func $value))
    (with "consume" (func $consume)) (with "dropped" (func $dropped))))
  (export "acme:counter/counters@1.0.0" (instance $interface)))

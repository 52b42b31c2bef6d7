// The world `greeter` of wit/greeter.wit: the trait `Guest` has a function for each that it exports.

wit_bindgen::generate!({ path: "wit" });

struct Greeter;

impl Guest for Greeter {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}

export!(Greeter);

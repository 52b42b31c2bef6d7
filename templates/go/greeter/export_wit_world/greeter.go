// The world `greeter` of wit/greeter.wit: a function for each that it exports.
package export_wit_world

func Greet(name string) string {
	return "Hello, " + name + "!"
}

"""The world `greeter` of wit/greeter.wit: a method for each function that it exports."""

import wit_world


class WitWorld(wit_world.WitWorld):
    def greet(self, name: str) -> str:
        return f"Hello, {name}!"

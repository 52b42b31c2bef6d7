// `network` of `wasi:sockets@0.2`: the right to use the network, which is the transaction's, not the handle's.

export class Network02 {}

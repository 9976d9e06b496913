"""What is spoken at this door; everything beside the .proto is generated of it, by `gateway/rpc/proto/generate`."""

# frozen_string_literal: true

require 'digest'
require 'json'

# Streaming, which Mastodon leaves to a server of its own: server-sent events
# and WebSockets under /api/v1/streaming, fed by new statuses. Each open
# stream is a hijacked socket, so that it holds no Puma thread.
module Streams
  MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' # RFC 6455 §1.3
  HEARTBEAT = 5 # seconds; Mastodon says :thump every fifteen

  @lock = Mutex.new
  @open = {}

  class << self
    attr_reader :lock, :open

    def update(status)
      payload = JSON.generate(status)
      send_all { |kind| kind == :sse ? "event: update\ndata: #{payload}\n\n" : frame(JSON.generate(stream: ['public'], event: 'update', payload: payload)) }
    end

    def send_all
      lock.synchronize do
        open.delete_if do |io, kind|
          text = yield(kind)
          io.write_nonblock(text) if text
          false
        rescue IOError, SystemCallError
          io.close unless io.closed?
          true
        end
      end
    end

    # One unmasked text frame, RFC 6455 §5.2.
    def frame(text)
      bytes = text.b
      head = bytes.bytesize < 126 ? [0x81, bytes.bytesize].pack('CC') : [0x81, 126, bytes.bytesize].pack('CCn')
      head + bytes
    end

    def attach(io, kind)
      lock.synchronize do
        open[io] = kind
        @heart ||= Thread.new { loop { sleep HEARTBEAT; send_all { |each| ":thump\n" if each == :sse } } }
      end
    end

    def reset
      lock.synchronize { open.each_key { |io| io.close unless io.closed? }; open.clear }
    end
  end

  APP = lambda do |env|
    channel = env['action_dispatch.request.path_parameters']&.fetch(:channel, nil)
    Journal.reached!(env, 'Streams', channel || 'socket')
    next [200, { 'Content-Type' => 'text/plain' }, ['OK']] if channel == 'health'

    key = env['HTTP_SEC_WEBSOCKET_KEY']
    next [400, { 'Content-Type' => 'text/plain' }, ["a WebSocket handshake or a channel is needed\n"]] if channel.nil? && key.nil?

    io = env['rack.hijack'].call
    if key
      accept = [Digest::SHA1.digest(key + MAGIC)].pack('m0')
      io.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: #{accept}\r\n\r\n")
      attach(io, :socket)
    else
      io.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: private, no-store\r\nConnection: close\r\n\r\n:)\n")
      attach(io, :sse)
    end
    [-1, {}, []]
  end

end

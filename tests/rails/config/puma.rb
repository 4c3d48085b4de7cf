# frozen_string_literal: true

require 'socket'

# One process: the journal of what reached Rails lives in its memory.
threads_count = Integer(ENV.fetch('TUSKGATE_RAILS_THREADS', '8'))
threads threads_count, threads_count
workers 0
bind ENV.fetch('TUSKGATE_RAILS_BIND')
environment 'production'
persistent_timeout 20 # as Mastodon has it: a pooled connection must be younger than that
quiet

# Puma binds after the application is loaded, so an accepted connection means
# ready. The hooks that tell the same differ between Puma 5 and 6.
Thread.new do
  name = ENV.fetch('TUSKGATE_RAILS_NAME')
  begin
    (name.start_with?('/') ? UNIXSocket.new(name) : TCPSocket.new('127.0.0.1', Integer(name))).close
    $stdout.puts "ready #{name}"
    $stdout.flush
  rescue SystemCallError
    sleep 0.05
    retry
  end
end

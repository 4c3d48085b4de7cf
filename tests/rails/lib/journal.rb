# frozen_string_literal: true

require 'digest'

# Which requests reached Rails, and which action each one reached.
#
# The outermost middleware, so that requests refused by the framework itself
# are counted too; those of the tests themselves are not. Held in memory and bounded; tests read it at /__state.
class Journal
  LIMIT = 20_000
  Entry = Struct.new(:method, :target, :action, :status, :ip)

  @lock = Mutex.new
  @entries = []
  @reached = Hash.new { |actions, action| actions[action] = Hash.new(0) }

  class << self
    def note(entry)
      @lock.synchronize do
        @reached[entry.action || 'none'][entry.status] += 1
        @entries << entry
        @entries.shift if @entries.size > LIMIT
      end
    end

    def reached
      @lock.synchronize { @reached.transform_values { |statuses| statuses.transform_keys(&:to_s) } }
    end

    def entries
      @lock.synchronize { @entries.map(&:to_h) }
    end

    def reset
      @lock.synchronize do
        @entries.clear
        @reached.clear
      end
    end

    # Called where a controller is about to run an action (lib/echo.rb).
    def reached!(env, controller, action)
      env['tuskgate.reached'] = "#{controller}##{action}"
    end
  end

  def initialize(app)
    @app = app
  end

  def call(env)
    return @app.call(env) if env['PATH_INFO'].start_with?('/__') || env['HTTP_X_TEST_ECHO']

    method = env['REQUEST_METHOD']
    status, headers, body = @app.call(env)
    ip = env['action_dispatch.remote_ip']&.to_s rescue nil # an address that Rails calls spoofed raises
    self.class.note(Entry.new(method, env['REQUEST_URI'], env['tuskgate.reached'], status, ip))
    [status, headers, body]
  end
end

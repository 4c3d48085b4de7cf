# frozen_string_literal: true

# SQLite with many threads in one process. Its own busy timeout sleeps with the
# interpreter's lock held, so the thread that would free the database can't run;
# and a transaction that reads first can't become a writer under WAL. So: wait in
# Ruby, and take the write lock at the start.
module SqliteThreads
  PATIENCE = 10_000 # waits of a few milliseconds

  def configure_connection
    super
    raw = respond_to?(:raw_connection) ? @raw_connection || raw_connection : @connection
    raw.busy_handler { |count| sleep(0.002) && count < PATIENCE }
  end

  # Rails 7.1 and later have a setting for it (config/application.rb).
  if ActiveRecord.version < Gem::Version.new('7.1')
    def begin_db_transaction
      log('begin immediate transaction', 'TRANSACTION') { @connection.transaction(:immediate) }
    end
  end
end

ActiveSupport.on_load(:active_record) do
  require 'active_record/connection_adapters/sqlite3_adapter'
  ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(SqliteThreads)
end

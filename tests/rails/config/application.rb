# frozen_string_literal: true

require 'rails'
require 'active_record/railtie'
require 'action_controller/railtie'
require 'action_view/railtie'
require 'action_mailer/railtie'
require_relative '../lib/devise_on_rails_7'
require 'devise'
require 'doorkeeper'

require_relative '../lib/journal'
require_relative '../lib/mailbox'
require_relative '../lib/normalised_path'
require_relative '../lib/echo'
require_relative '../lib/streams'
require_relative '../lib/schema'
require_relative '../lib/sqlite_threads'

module TuskgateTest
  # Production settings where they decide how a request is read; nothing that
  # would need another service.
  class Application < Rails::Application
    STATE = ENV.fetch('TUSKGATE_RAILS_STATE')

    config.load_defaults "#{Rails::VERSION::MAJOR}.#{Rails::VERSION::MINOR}"
    config.root = File.expand_path('..', __dir__)
    config.eager_load = true
    config.cache_classes = true
    config.consider_all_requests_local = false
    config.force_ssl = false
    config.hosts.clear
    config.secret_key_base = 'tuskgate-test-' * 8
    config.session_store :cookie_store, key: '_mastodon_session', same_site: :lax
    config.log_level = :warn
    config.logger = ActiveSupport::Logger.new(File.join(STATE, 'rails.log'))
    config.action_controller.log_warning_on_csrf_failure = false # every API call has none
    config.action_mailer.delivery_method = :test
    config.action_mailer.default_url_options = { host: 'mastodon.test', protocol: 'https' }
    config.action_dispatch.default_headers = { 'X-Frame-Options' => 'DENY', 'X-Content-Type-Options' => 'nosniff', 'Server' => 'Mastodon' }
    config.x.public_url = ENV['TUSKGATE_RAILS_URL'] # nil: as the request says
    config.paths['tmp'] = File.join(STATE, 'tmp')
    config.paths['config/database'] = File.join(STATE, 'database.yml')

    config.middleware.insert_before 0, Journal
    # Last before the router, as rack-attack's railtie places it.
    initializer('tuskgate.normalised_path') { |app| app.middleware.use NormalisedPath }
  end
end

File.write(File.join(TuskgateTest::Application::STATE, 'database.yml'), <<~YAML)
  production:
    adapter: sqlite3
    database: #{File.join(TuskgateTest::Application::STATE, 'mastodon.sqlite3')}
    pool: 64
    default_transaction_mode: immediate
YAML

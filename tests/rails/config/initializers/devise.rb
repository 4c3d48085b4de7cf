# frozen_string_literal: true

# What Mastodon sets and a request can notice.
Devise.setup do |config|
  require 'devise/orm/active_record'
  config.secret_key = 'tuskgate-test-devise-' * 4
  config.mailer_sender = 'notifications@mastodon.test'
  config.case_insensitive_keys = [:email]
  config.strip_whitespace_keys = [:email]
  config.skip_session_storage = [:http_auth]
  config.stretches = 1 # speed; the real one uses ten
  config.allow_unconfirmed_access_for = 2.days
  config.confirm_within = 2.days
  config.reconfirmable = true
  config.password_length = 8..72
  config.expire_all_remember_me_on_sign_out = true
  config.sign_out_via = :delete
  config.send_email_changed_notification = true
  config.sign_in_after_change_password = false if config.respond_to?(:sign_in_after_change_password=)
end

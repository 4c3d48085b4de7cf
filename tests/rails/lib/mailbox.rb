# frozen_string_literal: true

require 'addressable/uri'
require 'mail'

# What Devise, the Mail gem and Addressable make of an e-mail parameter, with
# Mastodon's own two conditions rebuilt from the facts about them.
#
# `stored` is what Devise would look up and save. `formats` are the checks that
# some version makes (4.1 the first only, later ones both). `domain` is the name
# that the validators ask DNS and the block list for, as the Addressable that
# runs here has it: pure Ruby, without libidn.
module Mailbox
  def self.of(value)
    user = User.new(email: value)
    user.send(:downcase_keys)
    user.send(:strip_whitespace)
    stored = user.email.to_s
    { stored: stored, formats: { devise: Devise.email_regexp.match?(stored), mail: plain?(stored) }, domain: domain(stored) }
  rescue StandardError => e
    { fault: e.class.name }
  end

  # The RFC parser gives the identical string back, and none of % , " is in it.
  def self.plain?(text)
    return false if text.match?(/[%,"]/)

    Mail::Address.new(text).address == text
  rescue Mail::Field::FieldError
    false
  end

  # After the first @, one slash off, normalised as a host.
  def self.domain(text)
    host = text.split('@', 2)[1].to_s.strip.delete_suffix('/')
    host.empty? ? nil : Addressable::URI.new(host: host).normalized_host
  rescue StandardError => e
    { fault: e.class.name }
  end
end

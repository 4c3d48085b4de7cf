# frozen_string_literal: true

# What Mastodon adds to Doorkeeper's application.
module ApplicationExtension
  extend ActiveSupport::Concern

  included do
    validates :name, length: { maximum: 60 }
    validates :website, url: true, length: { maximum: 2_000 }, if: :website?
    validates :redirect_uri, length: { maximum: 2_000 }
  end

  class_methods do
    # The app that owns the token of every web session.
    def web
      find_or_create_by!(name: 'Web', superapp: true) do |app|
        app.redirect_uri = 'urn:ietf:wg:oauth:2.0:oob'
        app.scopes = 'read write follow'
      end
    end
  end
end

# frozen_string_literal: true

module Api
  module V1
    class InstancesController < Api::BaseController
      def show
        render json: { uri: 'mastodon.test', title: 'Mastodon in tests', short_description: '', description: '', email: '', version: '4.1.0',
                       urls: { streaming_api: public_url.sub(/\Ahttp/, 'ws') }, stats: { user_count: User.count, status_count: Status.count, domain_count: 0 },
                       thumbnail: nil, languages: ['en'], registrations: true, approval_required: false, invites_enabled: true,
                       configuration: { statuses: { max_characters: 500, max_media_attachments: 4, characters_reserved_per_url: 23 } },
                       contact_account: nil, rules: [] }
      end
    end
  end
end

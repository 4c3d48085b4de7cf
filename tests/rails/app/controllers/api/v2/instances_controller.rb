# frozen_string_literal: true

module Api
  module V2
    class InstancesController < Api::BaseController
      def show
        render json: { domain: 'mastodon.test', title: 'Mastodon in tests', version: '4.1.0', source_url: 'https://mastodon.test/source', description: '',
                       usage: { users: { active_month: 0 } }, thumbnail: { url: 'https://mastodon.test/preview.png' }, languages: ['en'],
                       configuration: { urls: { streaming: public_url.sub(/\Ahttp/, 'ws'), status: nil }, statuses: { max_characters: 500, max_media_attachments: 4, characters_reserved_per_url: 23 } },
                       registrations: { enabled: true, approval_required: false, message: nil }, contact: { email: '', account: nil }, rules: [] }
      end
    end
  end
end
